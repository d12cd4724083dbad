import type { DocumentPorts } from '../../server/documents/document-ports.ts';
import { PrivateTransfers } from '../../server/documents/private-transfers.ts';
import { ReservedIds } from '../../server/documents/reserved-ids.ts';
import { WentBack } from '../../server/documents/went-back.ts';
import { createManualClock } from './manual-clock.ts';

/** What a document needs of the house, with nobody there: a test says what it cares about. */
export function documentPorts(ports: Partial<DocumentPorts> = {}): DocumentPorts {
  return {
    clock: createManualClock(),
    workers: {} as never,
    reservedIds: new ReservedIds(),
    wentBack: new WentBack({ clock: createManualClock(), store: { positionKey: new Uint8Array(32) }, log: { error: () => {} } }),
    privateTransfers: new PrivateTransfers(),
    overflowRecords: 1_000,
    frameBytes: 100_000,
    updateBytes: 1_000_000,
    structsPerUpdate: 1_000,
    subdocuments: false,
    compactAfterRecords: 1_000,
    compactAfterBytes: 1_000_000,
    hashSecret: (secret) => secret,
    catchUp: () => {},
    evict: () => {},
    refused: () => {},
    compact: () => {},
    changed: () => {},
    ...ports,
  };
}
