#include "net/http_client.h"

#include "net/curl_transfer.h"

namespace chatmem {

HttpResponse http_request(const HttpCall& call) {
  CurlTransfer transfer(call);
  if (const auto error = transfer.end(curl_easy_perform(transfer.handle()))) throw *error;
  return transfer.take_response();
}

}  // namespace chatmem
