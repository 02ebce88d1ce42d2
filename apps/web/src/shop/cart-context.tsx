import type { Cart } from '@showfloor/protocol';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, lazy, type ReactElement, type ReactNode, Suspense, useContext, useMemo, useState } from 'react';
import { type ApiProblem, asProblem } from '../api/http.ts';
import { openKeys } from '../api/open-keys.ts';
import { session } from '../api/session.ts';
import { addCartLine, getCart, removeCartLine } from '../api/shop-api.ts';
import { useSessionUser } from '../api/use-session-user.ts';
import { type PurchaseHandle, usePurchase } from './use-purchase.ts';

export type CartStep = 'lines' | 'pay';

export type CartHandle = {
  readonly cart: Cart | undefined;
  /** The shop did not answer the last time it was asked for the cart. */
  readonly isDown: boolean;
  readonly isOpen: boolean;
  readonly step: CartStep;
  readonly open: (step?: CartStep) => void;
  readonly close: () => void;
  readonly goTo: (step: CartStep) => void;
  /** Holds one unit; null when it is held, the refusal otherwise. */
  readonly hold: (variantId: string, playbackId: string | null) => Promise<ApiProblem | null>;
  readonly remove: (lineId: string) => Promise<ApiProblem | null>;
  readonly reload: () => void;
  readonly buying: PurchaseHandle;
};

const CartContext = createContext<CartHandle | null>(null);

export function useCart(): CartHandle {
  const cart = useContext(CartContext);
  if (cart === null) throw new Error('useCart outside of CartProvider');
  return cart;
}

/** Asked for early, so that the bag opens although the shop may have gone away meanwhile. */
const loadDrawer = (): Promise<typeof import('./cart-drawer.tsx')> => import('./cart-drawer.tsx');
const CartDrawer = lazy(async () => ({ default: (await loadDrawer()).CartDrawer }));

const CART_RELOAD_MS = 30_000;
const CART_RELOAD_DOWN_MS = 5_000;

/** The bag: what is held, the drawer that shows it, the purchase under way. One per page. */
export function CartProvider({ children }: { readonly children: ReactNode }): ReactElement {
  const queryClient = useQueryClient();
  const user = useSessionUser();
  const [isOpen, setOpen] = useState(false);
  const [step, setStep] = useState<CartStep>('lines');
  const isKnown = user !== null || session.hadSession;
  const query = useQuery({
    queryKey: ['cart'],
    queryFn: getCart,
    enabled: isKnown,
    retry: false,
    refetchInterval: ({ state }) => {
      if (state.error !== null) return asProblem(state.error).isOutage ? CART_RELOAD_DOWN_MS : false;
      return (state.data?.lines.length ?? 0) > 0 ? CART_RELOAD_MS : false;
    },
  });
  const buying = usePurchase(
    () => void queryClient.invalidateQueries({ queryKey: ['cart'] }),
    () => {
      setStep('pay');
      setOpen(true);
    },
  );

  const handle = useMemo<CartHandle>(() => {
    const change = async (ask: Promise<Cart>): Promise<ApiProblem | null> => {
      try {
        const cart = await ask;
        await queryClient.cancelQueries({ queryKey: ['cart'] });
        queryClient.setQueryData(['cart'], cart);
        return null;
      } catch (error) {
        const problem = asProblem(error);
        // The shop panel finds out too, and keeps trying from here on.
        if (problem.isOutage) void queryClient.invalidateQueries({ queryKey: ['show'] });
        return problem;
      }
    };
    return {
      cart: query.data,
      isDown: query.error !== null && asProblem(query.error).isOutage,
      isOpen,
      step,
      open: (first = 'lines') => {
        buying.reset();
        setStep(first);
        setOpen(true);
      },
      close: () => {
        setOpen(false);
        buying.reset();
      },
      goTo: (next) => {
        buying.reset();
        setStep(next);
      },
      hold: (variantId, playbackId) => {
        void loadDrawer();
        const line = { variantId, quantity: 1, ...(playbackId === null ? {} : { playbackId }) };
        return change(openKeys.once('hold', line, (key) => addCartLine(line, key)));
      },
      remove: (lineId) => change(removeCartLine(lineId)),
      reload: () => void queryClient.invalidateQueries({ queryKey: ['cart'] }),
      buying,
    };
  }, [query.data, query.error, isOpen, step, buying, queryClient]);

  return (
    <CartContext value={handle}>
      {children}
      <Suspense fallback={null}>
        <CartDrawer />
      </Suspense>
    </CartContext>
  );
}
