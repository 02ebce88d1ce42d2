/**
 * SQL of a common table expression that announces new stock levels: reads `moved (variant_id, available, version)` and
 * writes one `stock.changed` per show that lists the product and is not over. Waiting events of one variant coalesce.
 */
export const ANNOUNCE_MOVED_STOCK = `
  insert into outbox (topic, coalesce_key, payload)
  select s.playback_id,
         'stock:' || s.playback_id || ':' || m.variant_id,
         jsonb_build_object(
           'version', 1,
           'type', 'stock.changed',
           'playbackId', s.playback_id,
           'atMs', (extract(epoch from clock_timestamp()) * 1000)::bigint,
           'data', jsonb_build_object(
             'productId', v.product_id, 'variantId', m.variant_id,
             'availableUnits', m.available, 'stockVersion', m.version))
    from moved m
    join product_variants v on v.id = m.variant_id
    join show_products sp on sp.product_id = v.product_id
    join shows s on s.id = sp.show_id
   where s.status in ('scheduled', 'ready', 'live', 'interrupted')
   order by m.variant_id
`;
