import { useRealtime } from 'ashlar/react';
import { useEffect, useState } from 'react';
import { KeptDocuments } from './kept-documents.ts';
import { tellUnsaved } from './unsaved-in-browser.ts';

declare global {
  interface Window {
    /** The names of documents with edits that are not on the server: for the page around an inner frame. */
    unsavedDocuments?: () => readonly string[];
  }
}

/** Holds the workspace's documents while mounted. @param names keep their identity until they change */
export function useKeptDocuments(names: readonly string[]): KeptDocuments {
  const client = useRealtime();
  const [kept] = useState(() => new KeptDocuments(client));
  useEffect(() => kept.hold(names), [kept, names]);
  useEffect(() => tellUnsaved(client), [client]);
  useEffect(() => {
    window.unsavedDocuments = () => kept.unsaved();
    return () => {
      delete window.unsavedDocuments;
      kept.release();
    };
  }, [kept]);
  return kept;
}
