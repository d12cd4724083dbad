import { RealtimeProvider, useConnectionStatus, useDocument, useSaveStatus, useText } from 'ashlar/react';
import { StrictMode, useEffect } from 'react';
import { createRoot } from 'react-dom/client';

const query = new URLSearchParams(location.search);

function Notes() {
  const notes = useDocument('notes', { offline: true });
  const text = useText(notes, 'text');
  const { state } = useConnectionStatus();
  const saving = useSaveStatus(notes).state;
  useEffect(() => {
    document.title = 'mounted';
  }, []);
  return (
    <>
      <p>{text}</p>
      <output aria-label="Connection">{state}</output>
      <output aria-label="Saving">{saving}</output>
      <button type="button" onClick={() => notes?.doc.getText('text').insert(0, 'clicked. ')}>
        Write
      </button>
    </>
  );
}

createRoot(document.body.appendChild(document.createElement('main'))).render(
  <StrictMode>
    <RealtimeProvider url={query.get('server') ?? ''} token={() => window.fetchToken(query.get('user') ?? '')}>
      <Notes />
    </RealtimeProvider>
  </StrictMode>,
);
