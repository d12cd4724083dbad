import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import type { User } from '../../shared/user.ts';

/** What a handler finds in its context: the Node request, and who sent it once the guard has admitted it. */
export type HttpEnv = { Bindings: HttpBindings; Variables: { user: User } };

/** The API as a Hono app; `toNodeListener` makes a Node request listener of it. */
export type HttpApi = Hono<HttpEnv>;
