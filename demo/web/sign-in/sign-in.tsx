import { PEOPLE } from '../../people.ts';
import { Avatar } from '../people/avatar.tsx';

/** The name picker. */
export function SignIn({ onPick }: { onPick: (id: string) => void }) {
  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <img src="/favicon.svg" alt="" width="40" height="40" />
        <h1>Who are you today?</h1>
        <p>A workspace on Ashlar: pages, a board, numbers and chat that everybody shares.</p>
        <ul className="people-picker">
          {PEOPLE.map((person) => (
            <li key={person.id}>
              <button type="button" onClick={() => onPick(person.id)}>
                <Avatar user={person} size="large" decorative />
                <span>
                  <strong>{person.name}</strong>
                  <small>{person.role}</small>
                </span>
              </button>
            </li>
          ))}
        </ul>
        <p className="sign-in-note">
          Development only: this server signs a token for whoever asks. In production there is no such route, and no demo.
        </p>
      </div>
    </main>
  );
}
