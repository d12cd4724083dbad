/** The server cannot be reached. */
export class NoAnswer extends Error {}

/** Asks the development server for a token. A product asks its own session for one. @throws NoAnswer */
export async function fetchToken(id: string): Promise<string> {
  let response: Response;
  try {
    response = await fetch(`/demo/token/${encodeURIComponent(id)}`, { method: 'POST' });
  } catch (cause) {
    throw new NoAnswer('the server cannot be reached', { cause });
  }
  if (response.status === 503) throw new NoAnswer('the server is starting');
  if (!response.ok) throw new Error(`no token: ${response.status}`);
  const { token } = (await response.json()) as { token: string };
  return token;
}
