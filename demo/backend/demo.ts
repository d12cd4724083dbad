import { getRequestListener } from '@hono/node-server';
import type { App, AppHost } from '../../server/cli/serve.ts';
import { startAssistant } from './assistant.ts';
import { createCatalog } from './catalog.ts';
import { createDashboard } from './dashboard.ts';
import { createJobs } from './jobs.ts';
import { createNotifier } from './notifier.ts';
import { createPageAccess } from './page-access.ts';
import { servePages } from './pages.ts';
import { createRoutes } from './routes.ts';
import { seed } from './seed.ts';

export interface DemoOptions {
  /** Serve the pages from their sources, with hot reload, in place of the build. */
  readonly hot: boolean;
}

/** The demo's backend and pages. All it does with the platform goes through the public API of `ashlar/server`. */
export async function createDemo({ realtime, http, sign, verify }: AppHost, { hot }: DemoOptions): Promise<App> {
  await seed(realtime);
  const notifier = createNotifier(realtime);
  const dashboard = createDashboard(realtime);
  const catalog = createCatalog(realtime);
  const jobs = await createJobs(realtime, {
    onCompleted: async (job, userId) => {
      if (job.id === 'catalog-import') await catalog.change({ added: 212, modified: 961, deleted: 27 });
      await notifier.jobCompleted(job, userId);
    },
  });
  const access = await createPageAccess(realtime);
  const stopAssistant = startAssistant(realtime, { dashboard, jobs });
  const routes = createRoutes({ realtime, sign, verify, dashboard, jobs, catalog, notifier, access });
  const pages = await servePages(routes, { http, hot });
  const listener = getRequestListener(routes.fetch, { overrideGlobalObjects: false });
  return {
    answer(request, response) {
      if (pages.middleware === null || request.url?.startsWith('/demo/')) void listener(request, response);
      else pages.middleware(request, response);
    },
    async stop() {
      stopAssistant();
      dashboard.stop();
      catalog.stop();
      await jobs.stop();
      await pages.close();
    },
  };
}
