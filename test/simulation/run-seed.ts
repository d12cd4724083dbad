import { documentRoom, parseRoomName } from '../../shared/room-name.ts';
import { difference, docOf, readable } from './content.ts';
import { enter } from './current-world.ts';
import type { RealTimers } from './install-globals.ts';
import { Page } from './page.ts';
import { Scenario, type Troubles } from './scenario.ts';
import { stepsOf } from './steps.ts';
import { World } from './world.ts';

export interface SeedResult {
  readonly seed: number;
  /** Of the whole trace: the same seed gives the same. */
  readonly hash: string;
  readonly events: number;
  readonly simulatedMs: number;
  readonly failure: Error | null;
  /** The last part of the trace. */
  readonly trace: readonly string[];
}

// Longest wait for all to agree once the troubles are over: a few backoffs of half a minute.
const SETTLE_MS = 180_000;

/**
 * Runs one seed from the first start of the server to the last timer.
 * @param without troubles that are left out
 */
export async function runSeed(
  seed: number,
  steps: number,
  real: RealTimers,
  without: readonly (keyof Troubles)[] = [],
): Promise<SeedResult> {
  const world = new World(seed, real);
  let failure: Error | null = null;
  const unhandled = (error: unknown) => world.fail(error);
  process.on('unhandledRejection', unhandled);
  process.on('uncaughtException', unhandled);
  try {
    const scenario = new Scenario(world, without);
    enter(world, () => scenario.network.connect());
    await live(scenario, steps);
    await settle(scenario);
    await end(scenario);
  } catch (error) {
    failure = error as Error;
  } finally {
    enter(null);
    process.off('unhandledRejection', unhandled);
    process.off('uncaughtException', unhandled);
  }
  return { seed, hash: world.digest(), events: world.events, simulatedMs: world.elapsed, failure, trace: world.lines };
}

async function live(scenario: Scenario, steps: number): Promise<void> {
  const { world, server, pages, network } = scenario;
  world.trace(
    `seed ${world.seed}: ${Object.entries(scenario.troubles)
      .flatMap(([name, on]) => (on ? [name] : []))
      .join(' ')}`,
  );
  server.start();
  for (const page of pages) page.run('open', () => page.open(), world.between(0, 3_000));
  await world.runUntil(world.elapsed + 3_000);
  const step = stepsOf(scenario);
  for (let count = 0; count < steps; count++) {
    await world.turn(world.outside, step);
    network.forgetClosed();
    if (count % 8 === 0) scenario.judgeQueues();
    // Mostly close together, now and then long enough for timeouts.
    const gap = world.maybe(0.05) ? world.between(0, 12_000) : world.maybe(0.5) ? world.between(0, 20) : world.between(0, 600);
    await world.runUntil(world.elapsed + gap);
  }
}

/** The troubles are over: everybody comes to the same. */
async function settle(scenario: Scenario): Promise<void> {
  const { world, server, pages, disk, model } = scenario;
  world.trace('the troubles are over');
  await world.turn(world.outside, () => scenario.heal());
  await world.runUntil(world.elapsed + 10_000);
  if (server.state === 'down') server.start();
  await world.runUntil(world.elapsed + 20_000, () => server.state === 'up');
  for (const room of ['doc:main', 'chat:a', 'chat:b']) {
    server.run('grant', (realtime) => {
      model.changing(room, 'rex', 'write');
      realtime.grant('rex', room, 'write').catch((error) => world.fail(error));
    });
  }
  await world.runUntil(world.elapsed + 1_000);
  // Whoever was refused a room asks again with its next connection.
  for (const page of pages) {
    page.run('come back', () => {
      page.client.disconnect();
      void page.client.connect();
    });
  }
  const lagging = () => pages.flatMap((page) => [...lagsBehind(page, scenario)]);
  await world.runUntil(world.elapsed + SETTLE_MS, () => lagging().length === 0);
  for (const line of lagging()) world.violate(`at the end, ${line}`);
  const fresh = new Page(
    { name: 'new', userId: 'new', access: { '*': 'read' }, chats: ['a', 'b'], documents: ['main', 'notes'], tokenSeconds: 3_600 },
    world,
    scenario.network,
    model,
  );
  fresh.run('open', () => fresh.open());
  pages.push(fresh);
  await world.runUntil(world.elapsed + SETTLE_MS, () => lagsBehind(fresh, scenario).length === 0);
  for (const line of lagsBehind(fresh, scenario)) world.violate(`at the end, ${line}`);
  model.judgeDisk(disk.content);
  for (const [room, { must }] of model.documents) {
    const stored = docOf(disk.content, parseRoomName(room));
    const apart = difference(stored, must);
    if (apart !== null) world.violate(`${room} is not what its records make of it: ${apart}`);
    world.trace(`${room} at the end: ${readable(stored)}`);
  }
  await world.runUntil(world.elapsed);
}

/** What a page still lacks of what is on the disk. */
function lagsBehind(page: Page, { disk, widgets, model }: Scenario): string[] {
  const { name, userId, documents } = page.options;
  const lags: string[] = [];
  if (page.client?.status.get().state !== 'connected') return [`${name} is ${page.client?.status.get().state}`];
  if (page.waiting > 0) lags.push(`${name} waits for ${page.waiting} answers`);
  for (const document of documents) {
    const room = documentRoom(document);
    if (model.claimed(room, userId) === 'none') continue;
    const handle = page.documents.get(document);
    if (!handle?.synced) lags.push(`${name} is not in sync in ${room}: ${handle?.status.get().state}`);
    else if (handle.unsavedChanges.get() > 0) lags.push(`${name} has ${handle.unsavedChanges.get()} unsaved edits in ${room}`);
    else {
      const apart = difference(handle.doc, docOf(disk.content, room));
      if (apart !== null) lags.push(`${name} has another ${room} than the disk: ${apart}`);
    }
  }
  for (const [room, { shown, joined }] of page.logs) {
    if (model.claimed(room, userId) === 'none') continue;
    if (!joined) lags.push(`${name} is not in ${room}`);
    if (!room.startsWith('chat:')) continue;
    const head = disk.content.rooms.get(parseRoomName(room))?.head ?? 0;
    if ((shown.at(-1)?.seq ?? 0) !== head) lags.push(`${name} was shown ${room} up to ${shown.at(-1)?.seq ?? 0} of ${head}`);
  }
  if (page.logs.has('dashboard')) {
    for (const [widget, value] of widgets) {
      const stored = [...(disk.content.rooms.get(parseRoomName('dashboard'))?.states.values() ?? [])].find(
        ({ key }) => key === widget,
      )?.value;
      const held = stored ? (JSON.parse(stored) as { value: number }).value : undefined;
      if (held !== undefined && page.widgets.get(widget) !== held)
        lags.push(`${name} has ${widget} at ${page.widgets.get(widget)}, on the disk it is ${held} (published last: ${value})`);
    }
  }
  return lags;
}

/** Everybody goes, and nothing is left. */
async function end({ world, pages, server, network }: Scenario): Promise<void> {
  for (const page of pages) page.run('close', () => page.close());
  // A WebSocket waits half a minute for the other end's last word.
  await world.runUntil(world.elapsed + 31_000);
  const left = () => pages.flatMap((page) => world.pending().filter((line) => line.startsWith(`${page.owner.name}:`)));
  // What was sent to a slow reader before may be on its way for longer: that is the network's.
  for (let more = 0; more < 4 && left().some((line) => line.endsWith(': bytes')); more++)
    await world.runUntil(world.elapsed + 31_000);
  if (left().length > 0) world.violate(`left behind by a page that closed: ${left().join(', ')}`);
  await world.runUntil(world.elapsed + 3_000);
  server.stop();
  await world.runUntil(world.elapsed + 20_000);
  if (server.state !== 'down') world.violate(`the server does not end: ${server.state}`);
  network.forgetClosed();
  await world.runUntil(world.elapsed);
}
