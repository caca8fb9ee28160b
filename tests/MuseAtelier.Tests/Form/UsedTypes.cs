using System.Collections.Immutable;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace MuseAtelier.Tests.Form;

/// <summary>
/// Collects the types of the same assembly that a type uses: base types, members, attributes and bodies, from metadata and IL. A use of a
/// member counts as a use of the types in its signature. Constants and <c>nameof</c> leave no trace in IL and are not seen.
/// </summary>
internal sealed class UsedTypes(PEReader file, MetadataReader metadata) : ISignatureTypeProvider<object?, object?>
{
    private static readonly Dictionary<short, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => code.Value, code => code.OperandType);

    private readonly HashSet<TypeDefinitionHandle> _found = [];

    /// <summary>The types that the given type uses, itself perhaps among them.</summary>
    public HashSet<TypeDefinitionHandle> Of(TypeDefinitionHandle handle)
    {
        TypeDefinition type = metadata.GetTypeDefinition(handle);
        Add(type.BaseType);
        foreach (InterfaceImplementationHandle each in type.GetInterfaceImplementations())
            Add(metadata.GetInterfaceImplementation(each).Interface);
        AddConstraints(type.GetGenericParameters());
        AddAttributes(type.GetCustomAttributes());
        foreach (FieldDefinitionHandle each in type.GetFields())
        {
            Add(each);
            AddAttributes(metadata.GetFieldDefinition(each).GetCustomAttributes());
        }

        foreach (PropertyDefinitionHandle each in type.GetProperties())
            AddAttributes(metadata.GetPropertyDefinition(each).GetCustomAttributes());
        foreach (MethodDefinitionHandle each in type.GetMethods())
        {
            MethodDefinition method = metadata.GetMethodDefinition(each);
            Add(each);
            AddConstraints(method.GetGenericParameters());
            AddAttributes(method.GetCustomAttributes());
            if (method.RelativeVirtualAddress != 0) AddBody(file.GetMethodBody(method.RelativeVirtualAddress));
        }

        return _found;
    }

    public object? GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
    {
        _found.Add(handle);
        return null;
    }

    public object? GetTypeFromSpecification(
        MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind)
    {
        Add(handle);
        return null;
    }

    public object? GetArrayType(object? elementType, ArrayShape shape) => null;

    public object? GetByReferenceType(object? elementType) => null;

    public object? GetFunctionPointerType(MethodSignature<object?> signature) => null;

    public object? GetGenericInstantiation(object? genericType, ImmutableArray<object?> typeArguments) => null;

    public object? GetGenericMethodParameter(object? genericContext, int index) => null;

    public object? GetGenericTypeParameter(object? genericContext, int index) => null;

    public object? GetModifiedType(object? modifier, object? unmodifiedType, bool isRequired) => null;

    public object? GetPinnedType(object? elementType) => null;

    public object? GetPointerType(object? elementType) => null;

    public object? GetPrimitiveType(PrimitiveTypeCode typeCode) => null;

    public object? GetSZArrayType(object? elementType) => null;

    public object? GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => null;

    private void AddConstraints(GenericParameterHandleCollection parameters)
    {
        IEnumerable<GenericParameterConstraintHandle> all =
            parameters.SelectMany(one => metadata.GetGenericParameter(one).GetConstraints());
        foreach (GenericParameterConstraintHandle each in all) Add(metadata.GetGenericParameterConstraint(each).Type);
    }

    private void AddAttributes(CustomAttributeHandleCollection attributes)
    {
        foreach (CustomAttributeHandle each in attributes) Add(metadata.GetCustomAttribute(each).Constructor);
    }

    private void AddBody(MethodBodyBlock body)
    {
        Add(body.LocalSignature);
        foreach (ExceptionRegion region in body.ExceptionRegions) Add(region.CatchType);
        BlobReader il = body.GetILReader();
        while (il.RemainingBytes > 0)
        {
            int code = il.ReadByte();
            if (code == 0xFE) code = code << 8 | il.ReadByte();
            switch (Operands[(short)code])
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType
                    or OperandType.InlineSig:
                    Add(MetadataTokens.EntityHandle(il.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    int targets = il.ReadInt32();
                    il.Offset += targets * sizeof(int);
                    break;
                case OperandType operand:
                    il.Offset += SizeOf(operand);
                    break;
            }
        }
    }

    private void Add(EntityHandle handle)
    {
        if (handle.IsNil) return;
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                _found.Add((TypeDefinitionHandle)handle);
                break;
            case HandleKind.TypeSpecification:
                metadata.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
                break;
            case HandleKind.FieldDefinition:
                FieldDefinition field = metadata.GetFieldDefinition((FieldDefinitionHandle)handle);
                _found.Add(field.GetDeclaringType());
                field.DecodeSignature(this, null);
                break;
            case HandleKind.MethodDefinition:
                MethodDefinition method = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                _found.Add(method.GetDeclaringType());
                method.DecodeSignature(this, null);
                break;
            case HandleKind.MemberReference:
                AddMember(metadata.GetMemberReference((MemberReferenceHandle)handle));
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification generic = metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
                Add(generic.Method);
                generic.DecodeSignature(this, null);
                break;
            case HandleKind.StandaloneSignature:
                StandaloneSignature signature = metadata.GetStandaloneSignature((StandaloneSignatureHandle)handle);
                if (signature.GetKind() == StandaloneSignatureKind.Method) signature.DecodeMethodSignature(this, null);
                else signature.DecodeLocalSignature(this, null);
                break;
        }
    }

    private void AddMember(MemberReference member)
    {
        Add(member.Parent);
        if (member.GetKind() == MemberReferenceKind.Method) member.DecodeMethodSignature(this, null);
        else member.DecodeFieldSignature(this, null);
    }

    private static int SizeOf(OperandType operand) => operand switch
    {
        OperandType.InlineNone => 0,
        OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
        OperandType.InlineVar => 2,
        OperandType.InlineI8 or OperandType.InlineR => 8,
        _ => 4,
    };
}
