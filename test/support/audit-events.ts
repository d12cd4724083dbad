import * as z from 'zod/mini';
import { defineEvent } from '../../shared/define-event.ts';

/** A product's own events, one of each class, in rooms `audit:*`. Both sides may send them. */
export const auditEntry = defineEvent({
  name: 'audit:entry',
  room: 'audit:*',
  sentBy: ['backend', 'client'],
  payload: z.object({ entry: z.int(), padding: z.optional(z.string()) }),
  delivery: { class: 'log' },
});

export const auditLevel = defineEvent({
  name: 'audit:level',
  room: 'audit:*',
  sentBy: ['backend', 'client'],
  payload: z.object({ key: z.string(), level: z.number(), padding: z.optional(z.string()) }),
  delivery: { class: 'state', key: (level) => level.key },
});

export const auditPulse = defineEvent({
  name: 'audit:pulse',
  room: 'audit:*',
  sentBy: ['backend', 'client'],
  payload: z.object({ pulse: z.int(), padding: z.optional(z.string()) }),
  delivery: { class: 'ephemeral' },
});

export const auditEvents = [auditEntry, auditLevel, auditPulse] as const;
