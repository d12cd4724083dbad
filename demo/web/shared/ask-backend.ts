import { fetchToken } from '../sign-in/fetch-token.ts';

/** Asks the demo's backend, as a user. @throws Error with what it says */
export async function askBackend<Answer>(userId: string, method: 'GET' | 'POST', path: string): Promise<Answer> {
  const authorization = `Bearer ${await fetchToken(userId)}`;
  const response = await fetch(`/demo/${path}`, { method, headers: { authorization } });
  const answer = (await response.json()) as Answer & { error?: string };
  if (!response.ok) throw new Error(answer.error ?? `the backend answered ${response.status}`);
  return answer;
}
