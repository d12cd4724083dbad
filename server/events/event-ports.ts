import type { Catalog } from '../../shared/catalog.ts';
import type { Clock } from '../clock.ts';
import type { Guard } from '../guard/guard.ts';
import type { Hooks } from '../hooks.ts';
import type { Settings } from '../options.ts';
import type { Membership } from '../rooms/membership.ts';
import type { Rooms } from '../rooms/rooms.ts';
import type { Store } from '../storage/store.ts';
import type { Publish } from './publish.ts';
import type { PublishOnce } from './publish-once.ts';

/** What the features share. */
export interface EventPorts {
  readonly guard: Guard;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly rooms: Rooms;
  readonly membership: Membership;
  readonly store: Store;
  readonly hooks: Hooks;
  readonly publish: Publish;
  /** As `publish`, at most once per user, room and `meta.id`. */
  readonly publishOnce: PublishOnce;
}
