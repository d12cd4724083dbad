import { existsSync } from 'node:fs';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { serveStatic } from '@hono/node-server/serve-static';
import type { Hono } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/** Where vite puts the build. */
const BUILT = fileURLToPath(new URL('../dist', import.meta.url));

export interface Pages {
  /** Serves the pages from their sources; null: the routes serve the build. */
  readonly middleware: ((request: IncomingMessage, response: ServerResponse) => void) | null;
  close(): Promise<void>;
}

/** Serves the app's pages: the build, as routes of its own, or the sources with hot reload. */
export async function servePages(routes: Hono, { http, hot }: { http: Server; hot: boolean }): Promise<Pages> {
  if (hot) {
    const { createServer } = await import('vite');
    const vite = await createServer({
      configFile: fileURLToPath(new URL('../vite.config.ts', import.meta.url)),
      // The platform's own server carries the hot reload too: nothing else listens.
      server: { middlewareMode: true, hmr: { server: http } },
    });
    return {
      middleware: (request, response) => vite.middlewares(request, response, () => response.writeHead(404).end()),
      close: () => vite.close(),
    };
  }
  if (!existsSync(`${BUILT}/index.html`)) console.error('demo: the pages are not built: npm run build:demo');
  routes.use(
    '*',
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'self'"],
        connectSrc: ["'self'", 'ws:', 'wss:'],
        // Carets and charts are placed by style attributes.
        styleSrc: ["'self'", "'unsafe-inline'"],
        imgSrc: ["'self'", 'data:'],
        // The second person is an inner frame of the same app.
        frameAncestors: ["'self'"],
      },
      strictTransportSecurity: false,
      xFrameOptions: 'SAMEORIGIN',
    }),
  );
  routes.use(
    '*',
    serveStatic({
      root: BUILT,
      onFound: (path, context) => {
        const forever = path.includes('/assets/');
        context.header('Cache-Control', forever ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    }),
  );
  return { middleware: null, close: async () => {} };
}
