// Keyed state: values per key group, key and namespace (a window), behind a bounded write-back cache.
#pragma once
