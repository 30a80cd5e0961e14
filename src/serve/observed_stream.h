// An answer's way out that keeps the request's record, and adds headers to the answer.
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/http_server.h"
#include "serve/request_record.h"

namespace chatmem {

class ObservedStream final : public ResponseStream {
 public:
  using OnEnd = std::function<void(const RequestRecord&)>;
  // on_end is called once, before the last bytes are sent, or when the answer is given up.
  ObservedStream(std::unique_ptr<ResponseStream> stream, RequestRecord record, HttpHeaders headers,
                 OnEnd on_end)
      : stream_(std::move(stream)),
        record_(std::move(record)),
        headers_(std::move(headers)),
        on_end_(std::move(on_end)) {}
  ~ObservedStream() override;

  // To be filled until the end by who holds the stream.
  RequestRecord& record() { return record_; }

  void respond(int status, const HttpHeaders& headers, std::string_view body) override;
  void start(int status, const HttpHeaders& headers) override;
  bool write(std::string_view bytes) override { return stream_->write(bytes); }
  void end() override;
  void keep_alive(std::string bytes, int interval_ms) override {
    stream_->keep_alive(std::move(bytes), interval_ms);
  }
  void on_delivery(std::function<void(Delivery)> report) override {
    stream_->on_delivery(std::move(report));
  }
  void cut() override;
  bool client_gone() const override { return stream_->client_gone(); }

 private:
  HttpHeaders with_own(const HttpHeaders& headers) const;
  void finish();
  void give_up();

  std::unique_ptr<ResponseStream> stream_;
  RequestRecord record_;
  const HttpHeaders headers_;
  OnEnd on_end_;
};

}  // namespace chatmem
