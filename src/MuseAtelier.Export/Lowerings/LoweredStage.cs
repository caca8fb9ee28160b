using MuseAtelier.Export.Networks;
using MuseAtelier.Packages;

namespace MuseAtelier.Export.Lowerings;

/// <summary>How a weight's elements are laid out in the package.</summary>
internal enum WeightLayout
{
    /// <summary>As in the checkpoint.</summary>
    Stored,

    /// <summary>[out, in, rows, columns] becomes [out, rows, columns, in].</summary>
    ChannelsLast,
}

/// <summary>A weight as a graph wants it.</summary>
/// <param name="Graph">Name of the graph's input or constant.</param>
/// <param name="Weight">Where its values come from.</param>
/// <param name="Type">Element type in the package.</param>
/// <param name="Layout">Order of the elements in the package.</param>
internal sealed record LoweredWeight(string Graph, Weight Weight, ElementType Type, WeightLayout Layout)
{
    /// <summary>Dimensions in the package.</summary>
    public IReadOnlyList<long> Shape => Layout == WeightLayout.ChannelsLast ? [Weight.Shape[0], Weight.Shape[2], Weight.Shape[3], Weight.Shape[1]] : Weight.Shape;

    /// <summary>Bytes in the package.</summary>
    public long Bytes => Weight.Elements * Type.Size();
}

/// <summary>A value that crosses a graph's border, under the graph's own name.</summary>
internal sealed record LoweredValue(string Graph, Value Value, TensorSpec Spec);

/// <summary>A stage as a graph that is not yet written: its weights still have no place.</summary>
internal sealed record LoweredStage(Onnx.GraphBuilder Graph, IReadOnlyList<LoweredValue> Inputs, IReadOnlyList<LoweredValue> Outputs, IReadOnlyList<LoweredWeight> Weights);
