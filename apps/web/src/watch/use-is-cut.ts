import { type RefObject, useEffect, useState } from 'react';

/**
 * Whether an element shows less than all of its `text`, as CSS clamps or hides it. Looked at again when text or size change; while
 * not `isClamped` the last answer stands.
 */
export function useIsCut(element: RefObject<HTMLElement | null>, text: string, isClamped: boolean): boolean {
  const [isCut, setCut] = useState(false);
  useEffect(() => {
    const target = element.current;
    if (!isClamped) return;
    if (target === null || text === '') {
      setCut(false);
      return;
    }
    // A line's descenders may reach a pixel below its box.
    const look = (): void => setCut(target.clientHeight === 0 || target.scrollHeight > target.clientHeight + 1);
    const observer = new ResizeObserver(look);
    observer.observe(target);
    return () => observer.disconnect();
  }, [element, text, isClamped]);
  return isCut;
}
