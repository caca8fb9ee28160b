using MuseAtelier.Runtime;

namespace MuseAtelier.Cuda.Devices;

/// <summary>Where the weights of a component come from.</summary>
/// <param name="Reader">Loads them from the package's files; borrowed.</param>
/// <param name="Loras">The LoRAs that change them; null if there are none.</param>
internal sealed record WeightSources(WeightReader Reader, AppliedLoras? Loras);
