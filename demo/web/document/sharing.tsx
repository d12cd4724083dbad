import type { Access } from 'ashlar/client';
import { useEffect, useState } from 'react';
import { PEOPLE } from '../../people.ts';
import { askBackend } from '../shared/ask-backend.ts';
import { Icon } from '../shared/icon.tsx';
import { usePerson } from '../shared/person-context.ts';
import { usePopover } from '../shared/use-popover.ts';
import { useWhyNot } from '../shared/use-why-not.ts';

/** Decides who may do what on a page; it holds at once, also for who has it open. */
export function Sharing({ page }: { page: string }) {
  const { isOpen, toggle, box, button } = usePopover();
  return (
    <div className="sharing" ref={box}>
      <button ref={button} type="button" className="button" aria-expanded={isOpen} onClick={toggle}>
        <Icon name="people" /> Share
      </button>
      {isOpen ? <Levels page={page} /> : null}
    </div>
  );
}

type Levels = Readonly<Record<string, Access>>;

const LEVELS: readonly (readonly [Access, string])[] = [
  ['write', 'may edit'],
  ['read', 'may read'],
  ['none', 'no access'],
];

function Levels({ page }: { page: string }) {
  const self = usePerson();
  const whyNot = useWhyNot();
  const [levels, setLevels] = useState<Levels>({});
  const [said, setSaid] = useState('');
  useEffect(() => {
    let wanted = true;
    askBackend<Levels>(self.id, 'GET', `access/${page}`).then(
      (answer) => wanted && setLevels(answer),
      () => wanted && setSaid('Who may do what now cannot be looked up.'),
    );
    return () => {
      wanted = false;
    };
  }, [self.id, page]);
  const grant = async (id: string, name: string, level: Access, label: string): Promise<void> => {
    try {
      setLevels(await askBackend<Levels>(self.id, 'POST', `access/${page}/${id}/${level}`));
      setSaid(`${name}: ${label}, from now on.`);
    } catch {
      setSaid('That could not be changed. Try again.');
    }
  };
  return (
    <section className="popover" aria-label="Who may do what">
      <h2>Who may do what</h2>
      <ul className="rows">
        {PEOPLE.filter(({ id }) => id !== self.id).map(({ id, name }) => (
          <li key={id} className="row-head">
            <span>{name}</span>
            <fieldset className="choices" aria-label={name}>
              {LEVELS.map(([level, label]) => (
                <button
                  key={level}
                  type="button"
                  className="button"
                  aria-pressed={levels[id] === level}
                  aria-disabled={whyNot !== null}
                  onClick={() => {
                    if (whyNot === null) void grant(id, name, level, label);
                  }}
                >
                  {label}
                </button>
              ))}
            </fieldset>
          </li>
        ))}
      </ul>
      <p role="status" className="muted">
        {whyNot ?? said}
      </p>
    </section>
  );
}
