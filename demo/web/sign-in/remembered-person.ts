const KEY = 'ashlar-demo-person';

/** Somebody that an inner frame was opened as: `?as=ben`. */
export const framedAs: string | null = new URLSearchParams(window.location.search).get('as');

/** Who signed in on this tab, also after a reload. */
export function rememberedPerson(): string | null {
  return framedAs ?? sessionStorage.getItem(KEY);
}

export function rememberPerson(id: string | null): void {
  if (framedAs !== null) return;
  if (id === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, id);
}
