import { Button } from '@mantine/core';
import type { StreamKey } from '@showfloor/protocol';
import { type ReactElement, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ActionProblem } from './action-problem.tsx';
import { makeStreamKey } from './studio-api.ts';
import { useStudioAction } from './use-studio-action.ts';

/** Makes a key and shows it this once, with what to do in OBS and ffmpeg. It is kept nowhere. */
export function StreamKeyPanel({ showId }: { readonly showId: string }): ReactElement {
  const { t } = useTranslation();
  const action = useStudioAction();
  const [key, setKey] = useState<StreamKey | null>(null);
  const make = (): Promise<boolean> => action.run(async () => setKey(await makeStreamKey(showId)));
  return (
    <div className="sf-studio__key">
      {key === null ? (
        <div className="sf-studio__row">
          <Button variant="default" loading={action.isBusy} onClick={() => void make()}>
            {t('studio.keyGet')}
          </Button>
          <span className="sf-muted">{t('studio.keyHint')}</span>
        </div>
      ) : (
        <div data-testid="stream-key">
          <p role="status">
            <strong>{t('studio.keyShown')}</strong>
          </p>
          <Copyable label={t('studio.server')} text={key.server} testId="stream-server" />
          <Copyable label={t('studio.streamKey')} text={key.streamKey} testId="stream-key-value" />
          <p className="sf-studio__help">{t('studio.obs')}</p>
          <Copyable label={t('studio.ffmpeg')} text={ffmpegCommand(key)} testId="stream-ffmpeg" />
        </div>
      )}
      <ActionProblem action={action} />
    </div>
  );
}

type CopyableProps = { readonly label: string; readonly text: string; readonly testId: string };

function Copyable({ label, text, testId }: CopyableProps): ReactElement {
  const { t } = useTranslation();
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    await writeClipboard(text);
    setCopied(true);
    setTimeout(() => setCopied(false), 2_000);
  };
  return (
    <div className="sf-copy">
      <span className="sf-copy__label">{label}</span>
      <code className="sf-copy__text" data-testid={testId}>
        {text}
      </code>
      <Button
        variant="default"
        size="compact-md"
        aria-label={t('studio.copy', { what: label })}
        onClick={() => void copy()}
      >
        {isCopied ? t('studio.copied') : t('studio.copyShort')}
      </Button>
    </div>
  );
}

/** The clipboard API exists in secure contexts only; plain HTTP in a home network falls back to a selection. */
async function writeClipboard(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement('textarea');
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand('copy');
  field.remove();
}

function ffmpegCommand({ server, streamKey }: StreamKey): string {
  const encode = '-c:v libx264 -preset veryfast -tune zerolatency -b:v 2500k -g 30 -c:a aac -b:a 128k';
  return `ffmpeg -re -stream_loop -1 -i video.mp4 ${encode} -f flv '${server}/${streamKey}'`;
}
