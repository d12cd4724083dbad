import { RealtimeProvider } from 'ashlar/react';
import { useState } from 'react';
import { findPerson } from '../people.ts';
import { createSwitchedNetwork } from './connection/switched-network.ts';
import { fetchToken, NoAnswer } from './sign-in/fetch-token.ts';
import { rememberedPerson, rememberPerson } from './sign-in/remembered-person.ts';
import { SignIn } from './sign-in/sign-in.tsx';
import { Workspace } from './workspace.tsx';

/** Who is signed in, and with that the connection. */
export function App() {
  const [personId, setPersonId] = useState(rememberedPerson);
  const [network] = useState(createSwitchedNetwork);
  const person = findPerson(personId);
  const signIn = (id: string | null): void => {
    rememberPerson(id);
    // Whoever comes next has not cut anything.
    network.cut(false);
    setPersonId(id);
  };
  if (person === undefined) return <SignIn onPick={signIn} />;
  return (
    <RealtimeProvider
      key={person.id}
      token={() => fetchToken(person.id)}
      userId={person.id}
      environment={network.environment}
      onError={report}
    >
      <Workspace person={person} network={network} onSignOut={() => signIn(null)} />
    </RealtimeProvider>
  );
}

// That nobody answers is for the state of the connection to say.
function report(error: unknown, where: string): void {
  if (!(error instanceof NoAnswer)) console.error(`[workspace] ${where}:`, error);
}
