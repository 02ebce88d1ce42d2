import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { type ApiProblem, asProblem } from '../api/http.ts';

export type StudioAction = {
  /** Runs a change and reads shows and products again; true when it went through. */
  readonly run: (change: () => Promise<unknown>) => Promise<boolean>;
  readonly isBusy: boolean;
  readonly problem: ApiProblem | null;
  /** Forgets the problem: what it was said about has changed. */
  readonly dismiss: () => void;
};

/** One place in the studio that changes something, with its own busy state and its own failure. */
export function useStudioAction(): StudioAction {
  const queryClient = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<ApiProblem | null>(null);
  const run = async (change: () => Promise<unknown>): Promise<boolean> => {
    setBusy(true);
    setProblem(null);
    try {
      await change();
      await queryClient.invalidateQueries({ queryKey: ['studio'] });
      return true;
    } catch (error) {
      setProblem(asProblem(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { run, isBusy, problem, dismiss: () => setProblem(null) };
}
