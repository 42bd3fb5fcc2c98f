import { useCallback, useEffect, useState } from 'react';

/**
 * The moment that all panels show, which moves on every so many milliseconds.
 *
 * Nobody looks at a page in the background, so it stands still there.
 */
export function useRefresh(every: number | undefined): [moment: number, refresh: () => void] {
  const [moment, setMoment] = useState(Date.now);
  const refresh = useCallback(() => setMoment(Date.now()), []);
  useEffect(() => {
    const onVisible = (): void => {
      if (every !== undefined && !document.hidden) {
        refresh();
      }
    };
    document.addEventListener('visibilitychange', onVisible);
    const timer = every === undefined ? undefined : window.setInterval(onVisible, every);
    return () => {
      document.removeEventListener('visibilitychange', onVisible);
      window.clearInterval(timer);
    };
  }, [every, refresh]);
  return [moment, refresh];
}
