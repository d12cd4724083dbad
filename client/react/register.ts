import type { Events } from '../../shared/catalog.ts';

/**
 * What a product tells the hooks of itself, once, in any file of its own:
 * @example
 * declare module 'ashlar/react' {
 *   interface Register {
 *     events: typeof EVENTS; // the list given to createClient
 *     presence: { pointer: { x: number; y: number } }; // what its documents share in awareness
 *   }
 * }
 */
// biome-ignore lint/suspicious/noEmptyInterface: products fill it.
export interface Register {}

/** The product's own events. */
export type OwnEvents = Register extends { events: infer Own extends Events } ? Own : [];

/** What the product's documents share in awareness. */
export type PresenceState = Register extends { presence: infer State extends object } ? State : Record<string, unknown>;
