import { defineConfig } from 'vitest/config';

// `unit` is pure code, `planes` needs sockets and a real PostgreSQL, `e2e` starts whole processes and a browser.
// The suffix of the file decides: *.test.ts · *.plane.test.ts · *.e2e.test.ts.

/** They measure time or memory so closely that nothing may run beside them. */
const ALONE = ['lab/test/{faults,honesty}.plane.test.ts', 'packages/**/{churn,holds,load,slow-viewers*}.plane.test.ts'];

/** What both kinds of plane tests have in common. */
const PLANES = {
  globalSetup: ['packages/commerce/test-postgres/global-setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['arrows.test.ts', '{packages,apps,lab,scripts}/**/*.test.{ts,tsx}'],
          exclude: ['**/node_modules/**', '**/*.plane.test.ts', '**/*.e2e.test.ts'],
        },
      },
      {
        test: {
          ...PLANES,
          name: 'planes',
          include: ['{packages,apps,lab}/**/*.plane.test.ts'],
          exclude: ['**/node_modules/**', ...ALONE],
          maxWorkers: 3, // they wait more than they work
        },
      },
      {
        test: {
          ...PLANES,
          name: 'planes-alone',
          include: ALONE,
          exclude: ['**/node_modules/**'],
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['{e2e,examples}/**/*.e2e.test.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
