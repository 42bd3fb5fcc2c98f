import { useEffect, useState, type RefObject } from 'react';

/** Whether an element is on the screen or near it. */
export function useVisible(element: RefObject<Element>): boolean {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    if (!element.current) {
      return undefined;
    }
    const observer = new IntersectionObserver(
      (entries) => setVisible(entries.some(({ isIntersecting }) => isIntersecting)),
      { rootMargin: '200px' }
    );
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return visible;
}
