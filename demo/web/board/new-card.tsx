import { type FormEvent, useState } from 'react';

/** A field for a new card at the end of a column. */
export function NewCard({ id, column, onAdd }: { id: string; column: string; onAdd: (title: string) => void }) {
  const [title, setTitle] = useState('');
  const add = (event: FormEvent): void => {
    event.preventDefault();
    if (title.trim() !== '') onAdd(title.trim());
    setTitle('');
  };
  return (
    <form onSubmit={add} className="new-card">
      <input
        data-new-card={id}
        aria-label={`New card in ${column}`}
        placeholder="New card"
        value={title}
        maxLength={120}
        onChange={({ target }) => setTitle(target.value)}
      />
    </form>
  );
}
