import { ErrorBoundary, type FallbackProps } from 'react-error-boundary';

/** Keeps a failure of one part from taking the whole page along; what was typed lives in the document, not in the part. */
export function Contained({ resetKeys, children }: { resetKeys?: unknown[]; children: React.ReactNode }) {
  return (
    <ErrorBoundary FallbackComponent={Failure} {...(resetKeys === undefined ? {} : { resetKeys })}>
      {children}
    </ErrorBoundary>
  );
}

function Failure({ resetErrorBoundary }: FallbackProps) {
  return (
    <p role="alert" className="banner banner-failed">
      Something went wrong here.{' '}
      <button type="button" className="button" onClick={resetErrorBoundary}>
        Try again
      </button>
    </p>
  );
}
