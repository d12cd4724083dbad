import type { Access } from 'ashlar/client';
import { useRealtime } from 'ashlar/react';
import { useState } from 'react';
import { PEOPLE } from '../../people.ts';
import { Icon } from '../shared/icon.tsx';
import { usePerson } from '../shared/person-context.ts';

const LEVELS: readonly (readonly [Access, string])[] = [
  ['write', 'may edit'],
  ['read', 'may read'],
  ['none', 'no access'],
];

/** Decides who may do what on a page; it holds at once, also for who has it open. */
export function Sharing({ page }: { page: string }) {
  const client = useRealtime();
  const self = usePerson();
  const [open, setOpen] = useState(false);
  const [said, setSaid] = useState('');
  const grant = async (id: string, name: string, access: Access): Promise<void> => {
    try {
      await client.grant(id, `doc:${page}`, access);
      setSaid(`${name} ${LEVELS.find(([level]) => level === access)?.[1]} now.`);
    } catch {
      setSaid('That could not be changed. Try again.');
    }
  };
  return (
    <div className="sharing">
      <button type="button" className="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name="people" /> Share
      </button>
      {open ? (
        <section className="popover" aria-label="Who may do what">
          <h2>Who may do what</h2>
          <ul className="rows">
            {PEOPLE.filter(({ id }) => id !== self.id).map(({ id, name }) => (
              <li key={id} className="row-head">
                <span>{name}</span>
                <fieldset className="choices" aria-label={name}>
                  {LEVELS.map(([level, label]) => (
                    <button key={level} type="button" className="button" onClick={() => void grant(id, name, level)}>
                      {label}
                    </button>
                  ))}
                </fieldset>
              </li>
            ))}
          </ul>
          <p role="status" className="muted">
            {said}
          </p>
        </section>
      ) : null}
    </div>
  );
}
