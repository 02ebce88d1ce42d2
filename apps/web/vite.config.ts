import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/**
 * One bundle for the shop, lazy chunks for the player (mpegts.js), studio, orders and sign-in. Nothing is inlined into
 * the page, so that a strict Content-Security-Policy holds. The manifest feeds the size check.
 */
export default defineConfig({
  plugins: [react()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    manifest: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { host: '127.0.0.1' },
});
