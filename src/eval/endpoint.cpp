// The maker of Summarize for an OpenAI-compatible endpoint.
#include "eval/predictions.h"
#include "text/prompt.h"

namespace chatmem {

Summarize endpoint_summarizer(ChatEndpoint endpoint, ChatRequest request, AskAs ask_as) {
  return
      [client = ChatClient(std::move(endpoint)), request = std::move(request), ask_as](
          const Conversation& conversation, const std::function<void(std::string_view)>& on_text) {
        ChatRequest filled = request;
        if (ask_as == AskAs::seed_text)
          filled.prompt = seed_request(conversation);
        else if (ask_as == AskAs::seed_chat)
          filled.messages.push_back({"user", seed_request(conversation)});
        else
          for (Turn& turn : summary_request(conversation))
            filled.messages.push_back({std::move(turn.role), std::move(turn.content)});
        return client.stream(filled, on_text);
      };
}

}  // namespace chatmem
