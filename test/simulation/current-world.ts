import type { World } from './world.ts';

type Connect = () => unknown;

let world: World | null = null;
let connect: Connect = () => {
  throw new Error('no network');
};

/** Which world the process lives in, and how it connects; null: none. */
export function enter(next: World | null, through?: Connect): void {
  world = next;
  if (through !== undefined) connect = through;
}

/** The world that the process lives in, if any. */
export function worldNow(): World | null {
  return world;
}

/** As `worldNow`, for what runs in one. */
export function currentWorld(): World {
  if (world === null) throw new Error('nothing is simulated now');
  return world;
}

/** Opens a connection in the simulated network. */
export function connectThrough(): unknown {
  return connect();
}
