import type { AccessClaim } from 'ashlar/server';

/** Somebody whom a visitor can be. A product takes its people from its own database. */
export interface DemoPerson {
  readonly id: string;
  readonly name: string;
  /** Dark enough for white text on it. */
  readonly color: string;
  /** In a few words, for the name picker. */
  readonly role: string;
  readonly roles: readonly string[];
  readonly access: AccessClaim;
}

/** What somebody without rights to change anything still may: talk. */
const GUEST = 'guest';

/** Documents that nobody but the backend opens. */
const BACKEND_ONLY: AccessClaim = { 'doc:backend-*': 'none' };
const MEMBER_ACCESS: AccessClaim = { '*': 'write', 'doc:page-handbook': 'read', ...BACKEND_ONLY };

export const PEOPLE: readonly DemoPerson[] = [
  {
    id: 'anna',
    name: 'Anna Lindqvist',
    color: '#a83a2b',
    role: 'Edits everything, decides who may edit',
    roles: ['member'],
    access: { '*': 'write', 'doc:*': 'admin', ...BACKEND_ONLY },
  },
  {
    id: 'ben',
    name: 'Ben Okafor',
    color: '#1c6480',
    role: 'Edits all but the handbook',
    roles: ['member'],
    access: MEMBER_ACCESS,
  },
  {
    id: 'chloe',
    name: 'Chloé Martin',
    color: '#6a4ba1',
    role: 'Edits all but the handbook',
    roles: ['member'],
    access: MEMBER_ACCESS,
  },
  {
    id: 'emil',
    name: 'Emil Novak',
    color: '#7a5200',
    role: 'A guest: reads, and chats',
    roles: [GUEST],
    access: { '*': 'read', 'chat:*': 'write', ...BACKEND_ONLY },
  },
];

/** The person with an id. */
export function findPerson(id: string | null | undefined): DemoPerson | undefined {
  return PEOPLE.find((person) => person.id === id);
}

/** Whether somebody may press the buttons that change something for all. */
export function mayChangeThings({ roles }: Pick<DemoPerson, 'roles'>): boolean {
  return !roles.includes(GUEST);
}
