using Google.Protobuf;
using MuseAtelier.Export.Onnx;
using MuseAtelier.Export.Onnx.Proto;
using MuseAtelier.Format;

namespace MuseAtelier.Runtime;

/// <summary>Rewrites a stage's graph in memory for weights that LoRAs change.</summary>
internal static class MergedGraph
{
    /// <summary>
    /// The rewritten model. Constants that are not changed stay in the package's file, which ONNX Runtime finds beside the graph's.
    /// </summary>
    /// <param name="path">Path of the graph's file.</param>
    /// <param name="component">The component.</param>
    /// <param name="stage">The stage.</param>
    /// <param name="loras">The changes.</param>
    public static byte[] Of(string path, ComponentSpec component, StageSpec stage, AppliedLoras loras)
    {
        ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
        foreach (WeightSpec weight in stage.Weights.Where(loras.Touches))
        {
            ValueInfoProto input = model.Graph.Input.First(input => input.Name == weight.Graph);
            // The nodes that cast the input to fp32 then change nothing, and ONNX Runtime drops them.
            input.Type.TensorType.ElemType = GraphBuilder.DataType(loras.TypeOf(component, weight));
        }

        foreach (WeightSpec constant in stage.Constants.Where(loras.Touches))
        {
            TensorProto tensor = model.Graph.Initializer.First(tensor => tensor.Name == constant.Graph);
            ElementType type = loras.TypeOf(component, constant);
            byte[] values = new byte[checked(constant.Elements * type.Size())];
            loras.Merge(component, constant, values);
            tensor.DataType = GraphBuilder.DataType(type);
            tensor.ExternalData.Clear();
            tensor.DataLocation = TensorProto.Types.DataLocation.Default;
            tensor.RawData = UnsafeByteOperations.UnsafeWrap(values);
        }

        return model.ToByteArray();
    }
}
