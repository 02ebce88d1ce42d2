import { defineConfig } from 'vitest/config';

// `unit` is pure code, `planes` needs sockets and a real PostgreSQL, `e2e` starts whole processes and a browser.
// The suffix of the file decides: *.test.ts · *.plane.test.ts · *.e2e.test.ts.
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
          name: 'planes',
          include: ['{packages,apps,lab}/**/*.plane.test.ts'],
          globalSetup: ['packages/commerce/test-postgres/global-setup.ts'],
          exclude: ['**/node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
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
