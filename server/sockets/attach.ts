import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { AshlarError } from '../../shared/errors.ts';
import { refuseRequest, refuseUpgrade } from './refuse-http.ts';
import { replayWithoutUpgrade } from './replay-request.ts';

/** The paths that one part of Ashlar answers on a product's HTTP server. */
export interface OwnPaths {
  /** What is answered there, for people. Two of one name cannot be on one server. */
  readonly name: string;
  /** Whether a path is ours; without its query. Asked for every request of the server: keep it cheap. */
  owns(path: string): boolean;
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  /** Absent: an upgrade asked for on our paths is ignored, and the request is handled as an ordinary one. */
  handleUpgrade?(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /**
   * An error while our paths cannot be served: `not-ready`, `server-closing`. Requests get it with its HTTP status as
   * `{ success: false, error: { code, message } }` and `Retry-After`.
   */
  unavailable?(request: IncomingMessage): AshlarError | undefined;
}

/** Our paths on a server; letting go of them gives the server back as it was. */
export interface Attachment extends Disposable {
  /** From now on the paths are the app's again. Open connections stay. May be called twice. */
  detach(): void;
}

interface Tap {
  readonly attachments: Set<OwnPaths>;
  release(): void;
}

const taps = new WeakMap<Server, Tap>();

/** Node hands out upgrades only where somebody listens. `tap` answers before any listener. */
const upgradeMarker = (): void => undefined;

/**
 * Takes our own paths of an HTTP server that belongs to an app (Express, Fastify, Hono, plain), and nothing else: requests and
 * upgrades for them never reach the app's listeners, all others never reach us. It makes no difference whether the app
 * added its listeners before or adds them later, because we stand in front of the event and not among its listeners:
 * stock Socket.IO moves the listeners it finds aside, and answers beside those that come later.
 *
 * An upgrade on a foreign path goes to the app's upgrade listeners; where it has none, it becomes the ordinary request that
 * it would have been without us.
 * @throws AshlarError `invalid-options` where the server answers the same already
 */
export function attachPaths(httpServer: Server, paths: OwnPaths): Attachment {
  const tap = taps.get(httpServer) ?? installTap(httpServer);
  if ([...tap.attachments].some(({ name }) => name === paths.name))
    throw new AshlarError('invalid-options', { detail: `${paths.name} is there already: give one of the two another prefix` });
  tap.attachments.add(paths);
  const detach = (): void => {
    if (tap.attachments.delete(paths) && tap.attachments.size === 0) tap.release();
  };
  return { detach, [Symbol.dispose]: detach };
}

function installTap(httpServer: Server): Tap {
  const attachments = new Set<OwnPaths>();
  const ownEmit = Object.hasOwn(httpServer, 'emit');
  const originalEmit = httpServer.emit;

  const ownerOf = (request: IncomingMessage): OwnPaths | undefined => {
    const path = pathOf(request.url ?? '/');
    for (const paths of attachments) if (paths.owns(path)) return paths;
    return undefined;
  };

  /** Whether the event was ours, and needs no listener any more. */
  const take = (event: string | symbol, args: readonly unknown[]): boolean => {
    switch (event) {
      case 'request':
      case 'checkContinue':
      case 'checkExpectation': {
        const [request, response] = args as [IncomingMessage, ServerResponse];
        const owner = ownerOf(request);
        if (owner === undefined) return false;
        if (event === 'checkContinue') response.writeContinue();
        serveRequest(owner, request, response, event === 'checkExpectation');
        return true;
      }
      case 'upgrade': {
        const [request, socket, head] = args as [IncomingMessage, Duplex, Buffer];
        const owner = ownerOf(request);
        if (owner?.handleUpgrade !== undefined) serveUpgrade(owner, request, socket, head);
        else if (owner !== undefined || httpServer.listenerCount('upgrade') === 1) {
          replayWithoutUpgrade(httpServer, request, socket, head);
        } else return false;
        return true;
      }
      default:
        return false;
    }
  };

  const tappedEmit = function (this: Server, event: string | symbol, ...args: unknown[]): boolean {
    if (attachments.size > 0 && take(event, args)) return true;
    return Reflect.apply(originalEmit, this, [event, ...args]) as boolean;
  };
  httpServer.emit = tappedEmit as Server['emit'];
  httpServer.on('upgrade', upgradeMarker);

  const tap: Tap = {
    attachments,
    release() {
      httpServer.off('upgrade', upgradeMarker);
      taps.delete(httpServer);
      // Somebody may have wrapped `emit` after us: then ours stays inside theirs and passes everything through.
      if (httpServer.emit !== tappedEmit) return;
      if (ownEmit) httpServer.emit = originalEmit;
      else Reflect.deleteProperty(httpServer, 'emit');
    },
  };
  taps.set(httpServer, tap);
  return tap;
}

function serveRequest(owner: OwnPaths, request: IncomingMessage, response: ServerResponse, strangeExpectation: boolean): void {
  try {
    const error = owner.unavailable?.(request);
    if (error !== undefined) refuseRequest(request, response, error);
    else if (strangeExpectation) response.writeHead(417).end();
    else owner.handleRequest(request, response);
  } catch (thrown) {
    // A handler that throws must not take the process with it: Node lets errors of listeners through.
    if (response.headersSent) response.destroy();
    else refuseRequest(request, response, AshlarError.from(thrown));
  }
}

function serveUpgrade(owner: OwnPaths, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  // Node took its own error listener off before it emitted `upgrade`: a reset now would be an uncaught error.
  socket.on('error', destroyOnError);
  try {
    const error = owner.unavailable?.(request);
    if (error !== undefined) refuseUpgrade(socket, error);
    else owner.handleUpgrade?.(request, socket, head);
  } catch (thrown) {
    refuseUpgrade(socket, AshlarError.from(thrown));
  }
}

function destroyOnError(this: Duplex): void {
  this.destroy();
}

/** The path of a request's target, without query and fragment. A target in absolute form (`GET http://…`) is nobody's. */
function pathOf(target: string): string {
  const end = target.search(/[?#]/);
  return end === -1 ? target : target.slice(0, end);
}
