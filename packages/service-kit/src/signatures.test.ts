import { describe, expect, test } from 'vitest';
import { signWebhook, verifyWebhook } from './signatures.ts';

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const NOW_MS = 1_700_000_000_000;
const BODY = '{"type":"stream.started"}';
const HEADERS = { ...signWebhook(SECRET, 'evt_12345678', NOW_MS, BODY) };

describe('a signed webhook', () => {
  const cases: readonly [
    name: string,
    headers: Record<string, string>,
    nowMs: number,
    body: string,
    accepted: boolean,
  ][] = [
    ['is accepted as it was sent', HEADERS, NOW_MS, BODY, true],
    ['is accepted five minutes late', HEADERS, NOW_MS + 300_000, BODY, true],
    ['is refused later', HEADERS, NOW_MS + 301_000, BODY, false],
    ['is refused from the future', HEADERS, NOW_MS - 302_000, BODY, false],
    ['is refused with another body', HEADERS, NOW_MS, `${BODY} `, false],
    ['is refused under another id', { ...HEADERS, 'webhook-id': 'evt_other' }, NOW_MS, BODY, false],
    ['is refused with a cut signature', { ...HEADERS, 'webhook-signature': 'v1,AAAA' }, NOW_MS, BODY, false],
    ['is refused without headers', {}, NOW_MS, BODY, false],
    [
      'is accepted when one of two signatures fits (rotation)',
      { ...HEADERS, 'webhook-signature': `v1,AAAA ${HEADERS['webhook-signature']}` },
      NOW_MS,
      BODY,
      true,
    ],
  ];
  test.each(cases)('%s', (_name, headers, nowMs, body, accepted) => {
    expect(verifyWebhook(SECRET, headers, nowMs, body)).toBe(accepted);
  });
});

test('agrees with the example of the specification', () => {
  // https://github.com/standard-webhooks/standard-webhooks (libraries' shared test vector)
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const signed = signWebhook(secret, 'msg_p5jXN8AQM9LWM0D4loKWxJek', 1_614_265_330_000, '{"test": 2432232314}');
  expect(signed['webhook-signature']).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
});
