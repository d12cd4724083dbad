import { useReadable } from 'ashlar/react';
import { Icon } from '../shared/icon.tsx';
import type { SwitchedNetwork } from './switched-network.ts';

/** Takes the page off the network, and puts it back. */
export function CutButton({ network }: { network: SwitchedNetwork }) {
  const isCut = useReadable(network.isCut);
  return (
    <button type="button" className={isCut ? 'button button-warn' : 'button'} onClick={() => network.cut(!isCut)}>
      <Icon name="plug" />
      {isCut ? (
        'Reconnect'
      ) : (
        <span>
          Cut<span className="more"> my connection</span>
        </span>
      )}
    </button>
  );
}
