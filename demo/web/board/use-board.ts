import type { OpenDocument } from 'ashlar/client';
import { useArray, useMap } from 'ashlar/react';
import { type Board, boardOf } from './board.ts';

export function useBoard(document: OpenDocument): Board {
  return boardOf(useArray<unknown>(document, 'columns'), useMap<Record<string, unknown>>(document, 'cards'));
}
