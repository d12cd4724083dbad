import type { Access, RealtimeServer } from 'ashlar/server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { JOBS } from '../jobs.ts';
import { findPerson, mayChangeThings, PEOPLE } from '../people.ts';
import type { Catalog } from './catalog.ts';
import type { Dashboard } from './dashboard.ts';
import type { Jobs } from './jobs.ts';
import type { Notifier } from './notifier.ts';
import { claimedBy, type PageAccess } from './page-access.ts';

interface User {
  readonly id: string;
  readonly roles: readonly string[];
}

export interface RouteParts {
  readonly realtime: RealtimeServer;
  readonly dashboard: Dashboard;
  readonly jobs: Jobs;
  readonly catalog: Catalog;
  readonly notifier: Notifier;
  readonly access: PageAccess;
  sign(claims: object, expiresInSeconds: number): string;
  verify(token: string): User;
}

const LEVELS: readonly string[] = ['write', 'read', 'none'] satisfies Access[];

const TOKEN_SECONDS = 3_600;

/** The demo's own HTTP routes, under `/demo/`: what a product's frontend asks its backend for. */
export function createRoutes({ realtime, sign, verify, dashboard, jobs, catalog, notifier, access }: RouteParts): Hono {
  const app = new Hono();

  app.use('/demo/*', async (context, next) => {
    // A page elsewhere that pointed a name of its own at this machine would be of our origin: it comes with that name.
    if (!isOwnName(context.req.header('host')))
      throw new HTTPException(403, { message: 'open the demo by address or localhost' });
    context.header('Cache-Control', 'no-store');
    await next();
  });
  app.onError((error, context) => {
    if (error instanceof HTTPException) return context.json({ error: error.message }, error.status);
    console.error('demo:', error);
    return context.json({ error: 'the demo failed: see its output' }, 500);
  });

  // Development only: in production a product signs tokens for whom it has authenticated.
  app.post('/demo/token/:id', (context) => {
    const person = findPerson(context.req.param('id'));
    if (person === undefined) throw new HTTPException(404, { message: `known are ${PEOPLE.map(({ id }) => id).join(', ')}` });
    const { id, name, color, roles, access } = person;
    return context.json({ token: sign({ id, name, color, roles, access }, TOKEN_SECONDS) });
  });

  const userOf = (authorization: string | undefined): User => {
    try {
      return verify(authorization?.replace(/^Bearer /, '') ?? '');
    } catch {
      throw new HTTPException(401, { message: 'a token is needed' });
    }
  };
  const memberOf = (authorization: string | undefined): User => {
    const user = userOf(authorization);
    if (!mayChangeThings(user)) throw new HTTPException(403, { message: 'guests may look, not touch' });
    return user;
  };

  app.get('/demo/dashboard', (context) => {
    userOf(context.req.header('authorization'));
    return context.json(dashboard.history());
  });
  app.post('/demo/jobs/:id', async (context) => {
    const user = memberOf(context.req.header('authorization'));
    const job = JOBS.find(({ id }) => id === context.req.param('id'));
    if (job === undefined) throw new HTTPException(404, { message: 'no such job' });
    await jobs.start(job, user.id);
    return context.json({});
  });
  const pageOf = (page: string, authorization: string | undefined): string => {
    if (!/^page-[\w-]{1,60}$/.test(page)) throw new HTTPException(404, { message: 'no such page' });
    const decides = claimedBy(userOf(authorization).id, page) === 'admin';
    if (!decides) throw new HTTPException(403, { message: 'others decide who may do what here' });
    return page;
  };
  app.get('/demo/access/:page', async (context) => {
    const page = pageOf(context.req.param('page'), context.req.header('authorization'));
    return context.json(await access.of(page));
  });
  app.post('/demo/access/:page/:user/:level', async (context) => {
    const page = pageOf(context.req.param('page'), context.req.header('authorization'));
    const { user, level } = context.req.param();
    if (findPerson(user) === undefined || !LEVELS.includes(level)) throw new HTTPException(404, { message: 'no such choice' });
    await access.set(page, user, level as Access);
    return context.json(await access.of(page));
  });
  app.post('/demo/catalog', async (context) => {
    memberOf(context.req.header('authorization'));
    await catalog.change();
    return context.json({});
  });
  app.post('/demo/status/:status', async (context) => {
    memberOf(context.req.header('authorization'));
    const message = { online: undefined, maintenance: 'Maintenance at 18:00, for about ten minutes. Nothing will be lost.' }[
      context.req.param('status')
    ];
    const status = message === undefined ? 'online' : 'maintenance';
    await realtime.broadcast('system:status', { status, ...(message === undefined ? {} : { message }) });
    return context.json({});
  });
  app.post('/demo/notifications/:to', async (context) => {
    const user = memberOf(context.req.header('authorization'));
    const to = context.req.param('to');
    await (to === 'me' ? notifier.reminder(user.id) : notifier.announcement(findPerson(user.id)?.name ?? user.id));
    return context.json({});
  });
  app.all('/demo/*', (context) => context.json({ error: 'no such route' }, 404));
  return app;
}

function isOwnName(host: string | undefined): boolean {
  if (host === undefined || !URL.canParse(`http://${host}`)) return false;
  const { hostname } = new URL(`http://${host}`);
  return hostname === 'localhost' || hostname.startsWith('[') || /^[\d.]+$/.test(hostname);
}
