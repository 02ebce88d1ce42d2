/** Where HLS delivery takes playlists, segments and parts from: the packagers, and no more of them than this. */
import type { HlsPackager } from '../hls/hls-packager.ts';

/** One stream's playlists and objects. */
export type HlsSource = Pick<HlsPackager, 'window' | 'problem' | 'object' | 'onChange'>;

/** All streams that can be had as HLS: on air, in grace, or ended a moment ago. */
export type HlsSources = Readonly<{ find: (playbackId: string) => HlsSource | undefined }>;
