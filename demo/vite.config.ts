import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  root: path('web'),
  plugins: [react()],
  resolve: {
    // In a product these come from node_modules.
    alias: {
      'ashlar/client': path('../client/index.ts'),
      'ashlar/react': path('../client/react/index.ts'),
      'ashlar/shared': path('../shared/index.ts'),
    },
    dedupe: ['yjs', 'y-protocols', 'react', 'react-dom'],
  },
  build: { outDir: path('dist'), emptyOutDir: true, target: 'es2023', chunkSizeWarningLimit: 700 },
});
