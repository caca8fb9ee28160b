using MuseAtelier.Export.Networks;
using MuseAtelier.Format;

namespace MuseAtelier.Export.Lowerings;

/// <summary>A weight in the form in which a graph reads it.</summary>
/// <param name="Graph">Name of the graph's input or constant.</param>
/// <param name="Weight">The weight of the network, which names the source of the values.</param>
/// <param name="Type">Element type in the package.</param>
/// <param name="Layout">Order of the elements in the package.</param>
internal sealed record LoweredWeight(string Graph, Weight Weight, ElementType Type, WeightLayout Layout)
{
    /// <summary>Dimensions in the package.</summary>
    public IReadOnlyList<long> Shape => Layout == WeightLayout.ChannelsLast
        ? [Weight.Shape[0], Weight.Shape[2], Weight.Shape[3], Weight.Shape[1]]
        : Weight.Shape;

    /// <summary>Bytes in the package.</summary>
    public long Bytes => Weight.Elements * Type.Size();

    /// <summary>The weight as the manifest states it.</summary>
    /// <param name="file">The file that holds it.</param>
    /// <param name="offset">The first byte in that file.</param>
    public WeightSpec Spec(string file, long offset) => new(Graph, Weight.Slices, Type, Shape, file, offset)
    {
        Layout = Weight.IsTurned ? WeightLayout.Transposed : Layout,
    };
}

/// <summary>A value that is an input or an output of a graph, with its name in the graph.</summary>
internal sealed record LoweredValue(string Graph, Value Value, TensorSpec Spec);

/// <summary>A stage as a graph that is not written yet. Its weights have no place in the package yet.</summary>
internal sealed record LoweredStage(
    Onnx.GraphBuilder Graph,
    IReadOnlyList<LoweredValue> Inputs,
    IReadOnlyList<LoweredValue> Outputs,
    IReadOnlyList<LoweredWeight> Weights);
