select
    dt,
    event,
    events,
    listings
from {{ source('lake', 'rollup_listing_daily') }}
