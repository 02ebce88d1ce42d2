/** The show that a demo start puts on air by itself, for ever: it is not recorded, or it would fill the disk. */
export const DEMO_SHOW_ID = 'd0000000-0000-4000-8000-000000000002';
