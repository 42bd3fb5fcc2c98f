import { useCallback, useEffect, useState } from 'react';

import { readAddress, writeAddress, type Address } from '../address';

type Changes = Partial<Address>;

/** The page's address, and a way to change it; what is changed to undefined is left out. */
export function useAddress(): [Address, (changes: Changes) => void] {
  const [address, setAddress] = useState(current);
  useEffect(() => {
    const onChange = (): void => setAddress(current());
    window.addEventListener('popstate', onChange);
    window.addEventListener('hashchange', onChange);
    return () => {
      window.removeEventListener('popstate', onChange);
      window.removeEventListener('hashchange', onChange);
    };
  }, []);
  const change = useCallback((changes: Changes) => {
    const changed = { ...current(), ...changes };
    const said = Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined));
    window.history.pushState(null, '', window.location.pathname + writeAddress(said as unknown as Address));
    setAddress(current());
  }, []);
  return [address, change];
}

function current(): Address {
  return readAddress(window.location.search, window.location.hash);
}
