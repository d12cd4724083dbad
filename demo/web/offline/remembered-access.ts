import type { Access, OpenDocument } from 'ashlar/client';
import { useReadable } from 'ashlar/react';
import { permits } from 'ashlar/shared';
import { useEffect } from 'react';
import { usePerson } from '../shared/person-context.ts';

const PREFIX = 'ashlar-demo-access:';
const keyOf = (userId: string, document: string): string => `${PREFIX}${userId}:${document}`;

/**
 * What one may do in a document: as the server says, and before it has said so, as it said last on this device. It decides on what
 * to show, and on nothing else.
 * @returns null: the server never said
 */
export function useAccess({ name, handle }: Pick<OpenDocument, 'name' | 'handle'>): Access | null {
  const { id } = usePerson();
  const access = useReadable(handle.access);
  useEffect(() => {
    if (access !== null) rememberAccess(id, name, access);
  }, [id, name, access]);
  return access ?? (localStorage.getItem(keyOf(id, name)) as Access | null);
}

export function mayWrite(access: Access | null): boolean {
  return access !== null && permits(access, 'write');
}

export function rememberAccess(userId: string, document: string, access: Access): void {
  localStorage.setItem(keyOf(userId, document), access);
}

/** For signing out. */
export function forgetAccess(): void {
  for (const key of Object.keys(localStorage)) if (key.startsWith(PREFIX)) localStorage.removeItem(key);
}
