import type { DataFrame, DataTransformerConfig } from '@grafana/data';
import { useEffect, useRef, useState } from 'react';

import { framesOf } from '../frames';
import { askInstant, askRange } from '../prometheus';
import type { Question } from '../questions';
import { transformed } from '../transform';

export interface Found {
  frames?: DataFrame[];
  loading: boolean;
  /** A sentence. */
  problem?: string;
}

/**
 * The answers to a panel's questions. Those of before stay until there are new ones.
 *
 * @param questions - Undefined while they are not known or nobody looks.
 */
export function useFrames(questions: Question[] | undefined, transformations: DataTransformerConfig[] | undefined): Found {
  const [found, setFound] = useState<Found>({ loading: true });
  const key = questions === undefined ? undefined : JSON.stringify(questions);
  const answered = useRef<string>();
  useEffect(() => {
    if (questions === undefined || key === answered.current) {
      return undefined;
    }
    const ending = new AbortController();
    setFound((before) => ({ ...before, loading: true }));
    Promise.all(questions.map((question) => answerTo(question, questions.length === 1, ending.signal)))
      .then((frames) => transformed(frames.flat(), transformations ?? []))
      .then((frames) => {
        answered.current = key;
        setFound({ frames, loading: false });
      })
      .catch((problem: unknown) => {
        if (!ending.signal.aborted) {
          setFound({ loading: false, problem: problem instanceof Error ? problem.message : String(problem) });
        }
      });
    return () => ending.abort();
    // The questions' content is the key.
  }, [key]);
  return found;
}

async function answerTo(question: Question, alone: boolean, signal: AbortSignal): Promise<DataFrame[]> {
  const answer =
    question.kind === 'range' ? await askRange(question, signal) : await askInstant(question.expr, question.span.to, signal);
  return framesOf(question, answer, alone);
}
