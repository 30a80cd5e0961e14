#include "train/trainable.h"

namespace chatmem {

Adapter make_trainable(Optimizer& optimizer, Adapter& adapter) {
  Adapter gradients = adapter;
  std::vector<Lora*> lora_gradients;
  for_each_lora(gradients,
                [&](const std::string&, Lora& lora) { lora_gradients.push_back(&lora); });
  size_t i = 0;
  for_each_lora(adapter, [&](const std::string& name, Lora& lora) {
    Lora& gradient = *lora_gradients[i++];
    gradient.a = optimizer.add(name + ".lora_A.weight", lora.a, WeightDecay::on);
    gradient.b = optimizer.add(name + ".lora_B.weight", lora.b, WeightDecay::on);
    if (lora.magnitude)
      gradient.magnitude =
          optimizer.add(name + ".lora_magnitude_vector", lora.magnitude, WeightDecay::on);
  });
  return gradients;
}

Llama make_trainable(Optimizer& optimizer, Llama& model) {
  Llama gradients = model;
  std::vector<Tensor*> tensor_gradients;
  for_each_tensor(gradients, [&](const std::string&, Tensor& t, TensorKind) {
    tensor_gradients.push_back(&t);
  });
  size_t i = 0;
  for_each_tensor(model, [&](const std::string& name, Tensor& tensor, TensorKind kind) {
    const WeightDecay decay = kind == TensorKind::norm ? WeightDecay::off : WeightDecay::on;
    *tensor_gradients[i++] = optimizer.add(name, tensor, decay);
  });
  if (model.config.tied_embeddings) gradients.lm_head = gradients.embed;
  return gradients;
}

}  // namespace chatmem
