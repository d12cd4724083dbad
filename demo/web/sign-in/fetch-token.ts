/** Asks the development server for a token. A product asks its own session for one. */
export async function fetchToken(id: string): Promise<string> {
  const response = await fetch(`/demo/token/${encodeURIComponent(id)}`, { method: 'POST' });
  if (!response.ok) throw new Error(`no token: ${response.status}`);
  const { token } = (await response.json()) as { token: string };
  return token;
}
