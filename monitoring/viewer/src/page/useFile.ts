import { useEffect, useState } from 'react';

export interface File<T> {
  content?: T;
  /** A sentence, where it could not be had. */
  problem?: string;
}

/** A file beside this page, read once. */
export function useFile<T>(path: string | undefined, read: (response: Response) => Promise<T>): File<T> {
  const [file, setFile] = useState<File<T> & { path?: string | undefined }>({});
  useEffect(() => {
    if (path === undefined) {
      return undefined;
    }
    const ending = new AbortController();
    fetch(path, { cache: 'no-cache', signal: ending.signal })
      .then(async (response) => {
        if (!response.ok) {
          throw new Error(`Prometheus answers with status ${response.status}`);
        }
        setFile({ path, content: await read(response) });
      })
      .catch((problem: unknown) => {
        if (!ending.signal.aborted) {
          setFile({ path, problem: `${path} cannot be read: ${problem instanceof Error ? problem.message : String(problem)}.` });
        }
      });
    return () => ending.abort();
  }, [path, read]);
  return file.path === path ? file : {};
}

export async function asJson<T>(response: Response): Promise<T> {
  return (await response.json()) as T;
}

export async function asText(response: Response): Promise<string> {
  return response.text();
}
