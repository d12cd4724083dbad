import * as z from 'zod';
import type { ErrorCode } from '../../shared/errors.ts';
import { ERRORS } from '../../shared/errors.ts';

/** Most events in one request. */
export const MAX_EVENTS = 1_000;

// Strict: a misspelt `userId` would otherwise turn a private event into a broadcast.
export const PublishEvent = z
  .strictObject({
    event: z.string().min(1).max(128).describe('name in the event catalog, such as dashboard:update'),
    data: z.unknown().describe("the event's payload, by its schema in the catalog"),
    room: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe('the room; left out: where the event belongs, or everyone who may read it'),
    userId: z.string().min(1).max(128).optional().describe('one user, in place of a room'),
  })
  .refine((request) => request.room === undefined || request.userId === undefined, 'room and userId exclude each other');

export const PublishBody = z.union([PublishEvent, z.array(PublishEvent).min(1).max(MAX_EVENTS)]);

export const IdempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, '1 to 255 visible ASCII characters')
  .describe('the same key again gives the first answer and no second event; another body under it is refused');

const Published = z.object({
  event: z.string(),
  room: z.string().describe('where it went'),
  seq: z.int().positive().optional().describe("place in the room's log, for what was logged"),
  epoch: z.string().optional().describe('epoch of the record at seq'),
});
export const PublishResponse = z.object({
  success: z.literal(true),
  data: z.union([Published, z.array(Published)]).describe('one answer for one event, a list for a list'),
});

export const StatsResponse = z.object({
  success: z.literal(true),
  data: z.object({
    totalConnections: z.int().nonnegative(),
    totalUsers: z.int().nonnegative(),
    rooms: z.record(z.string(), z.int().nonnegative()).describe('room → members'),
  }),
});

export const HealthResponse = z.object({ success: z.literal(true), data: z.object({ status: z.literal('ok') }) });

const codes = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]];
export const ErrorResponse = z.object({
  success: z.literal(false),
  error: z.object({
    code: z.enum(codes).describe('stable; decide by this'),
    message: z.string().describe("the code's sentence, for people"),
    retryAfterMs: z.number().optional().describe('wait at least this long before sending again'),
    room: z.string().optional(),
    detail: z.string().optional().describe('what exactly is wrong, for people'),
  }),
});
